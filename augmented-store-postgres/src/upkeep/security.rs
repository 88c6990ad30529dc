//! Row-level security: the database itself shows a session the rows of its tenant only.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::migrate;
use crate::{PostgresConfig, PostgresError, PostgresStore};

/// Whose sessions row-level security binds; by default those of `aug_app` and `aug_read` and their members.
///
/// ```
/// use augmented_store_postgres::RowSecurity;
/// let security = RowSecurity::default().with_role("reporting");
/// # let _ = security;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSecurity {
    roles: Vec<String>,
}

impl Default for RowSecurity {
    fn default() -> Self {
        Self {
            roles: vec!["aug_app".to_owned(), "aug_read".to_owned()],
        }
    }
}

impl RowSecurity {
    /// Binds the sessions of these roles and no others, who then see nothing at all.
    #[must_use]
    pub fn of(roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            roles: roles.into_iter().map(Into::into).collect(),
        }
    }

    /// Binds the sessions of one more role. Its rights on the tables are the host's to grant.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }
}

impl PostgresStore {
    /// Lets sessions of the host see and write the rows of one tenant only: the one they name in `augmented.tenant_id`.
    ///
    /// Do it once after [`migrate`](Self::migrate), and again after a migration that brought tables. Then
    ///
    /// - the engine connects, as before, as the owner of the tables or as a role with `BYPASSRLS`: it works for all
    ///   tenants at once, and policies do not bind it (`FORCE ROW LEVEL SECURITY` is not used for that reason);
    /// - everything else of the host connects as a login role that is a member of `aug_app` (reading and writing) or
    ///   `aug_read` (reading), owns nothing and has no `BYPASSRLS`: `CREATE ROLE shop LOGIN IN ROLE aug_app`;
    /// - such a session names its tenant at the beginning of each transaction, which holds behind a pooler, too:
    ///   `SELECT set_config('augmented.tenant_id', '…', true)`.
    ///
    /// A session that names none sees nothing and can insert nothing. Definitions of the system tenant, which come with the
    /// product, can be read by all. Slices cannot be read past their table. The list of engine nodes is hidden.
    ///
    /// Harmless where it is on already. Each table is locked for the time of the call, which waits for running
    /// transactions up to 5 s; it is one transaction, so it is done or not.
    ///
    /// # Errors
    /// [`PostgresError::RowSecurity`] for a role that is not there or that policies would not bind, others if the database
    /// fails or the user does not own the tables.
    pub async fn enable_row_security(
        config: &PostgresConfig,
        security: &RowSecurity,
    ) -> Result<(), PostgresError> {
        let mut session = config.options()?.connect().await?;
        let mut connection = session.begin().await?;
        migrate::check_version(&mut connection, config.schema()).await?;
        if security.roles.is_empty() {
            return Err(PostgresError::RowSecurity {
                role: String::new(),
                reason: "is no role: name at least one",
            });
        }
        for role in &security.roles {
            check_role(&mut connection, config, role).await?;
        }
        let sql = "SELECT set_config('lock_timeout', '5s', true) IS NOT NULL \
                   AND $schema.aug_enable_row_security($1)::text IS NOT NULL";
        sqlx::query(AssertSqlSafe(config.schema().fill(sql)))
            .persistent(false)
            .bind(&security.roles)
            .execute(&mut *connection)
            .await?;
        connection.commit().await?;
        session.close().await?;
        Ok(())
    }

    /// Lets every session see the rows of all tenants again, as far as its rights go.
    ///
    /// Harmless where row-level security is off. It locks as [`enable_row_security`](Self::enable_row_security) does.
    ///
    /// # Errors
    /// [`PostgresError`] if the database fails or the user does not own the tables.
    pub async fn disable_row_security(config: &PostgresConfig) -> Result<(), PostgresError> {
        let mut session = config.options()?.connect().await?;
        let mut connection = session.begin().await?;
        migrate::check_version(&mut connection, config.schema()).await?;
        let sql = "SELECT set_config('lock_timeout', '5s', true) IS NOT NULL \
                   AND $schema.aug_disable_row_security()::text IS NOT NULL";
        sqlx::query(AssertSqlSafe(config.schema().fill(sql)))
            .persistent(false)
            .execute(&mut *connection)
            .await?;
        connection.commit().await?;
        session.close().await?;
        Ok(())
    }
}

/// Refuses a role that policies would not bind: nobody should believe in a lock that is open.
async fn check_role(
    connection: &mut PgConnection,
    config: &PostgresConfig,
    role: &str,
) -> Result<(), PostgresError> {
    let sql = "SELECT r.rolsuper OR r.rolbypassrls, \
                      pg_has_role(r.oid, (SELECT relowner FROM pg_class WHERE oid = to_regclass($2)), 'USAGE') \
               FROM pg_roles r WHERE r.rolname = $1";
    let found: Option<(bool, bool)> = sqlx::query_as(sql)
        .persistent(false)
        .bind(role)
        .bind(format!("{}.workflow_instances", config.schema()))
        .fetch_optional(connection)
        .await?;
    let reason = match found {
        None => "is not there: create it, or name another one",
        Some((true, _)) => "passes by all policies: take SUPERUSER and BYPASSRLS from it",
        Some((_, true)) => "owns the tables, so policies do not bind it: use a role of its own",
        Some((false, false)) => return Ok(()),
    };
    Err(PostgresError::RowSecurity {
        role: role.chars().take(64).collect(),
        reason,
    })
}
