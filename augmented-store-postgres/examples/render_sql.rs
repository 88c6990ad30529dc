//! Writes `migrations/0001_definitions.sql` from the JSON Schemas.

fn main() -> std::io::Result<()> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/migrations/0001_definitions.sql"
    );
    std::fs::write(path, augmented_store_postgres::constraints::render_sql())
}
