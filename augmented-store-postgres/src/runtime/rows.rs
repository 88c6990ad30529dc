//! Many rows as one value: an array of a composite type, in the binary form in which the server takes it.
//!
//! An array for each column has to be put together again row by row: each column is a function call and a table of its
//! own inside the server, which cost as much as everything else of a row but its indexes.

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{Postgres, Type, types::Uuid};

/// The types of the server that columns of rows have.
mod oid {
    pub(super) const INT8: u32 = 20;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const UUID: u32 = 2950;
    pub(super) const JSONB: u32 = 3802;
}

/// A composite type, as this database numbers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowType {
    pub(crate) row: Oid,
    pub(crate) array: Oid,
}

/// Rows of one composite type: an array of them, or a single one as itself.
#[derive(Debug)]
pub(crate) struct Rows {
    row_type: RowType,
    cells: Vec<u8>,
    rows: usize,
    is_single: bool,
}

impl Rows {
    /// No rows yet; `bytes` is about what they will take.
    pub(crate) fn new(row_type: RowType, bytes: usize) -> Self {
        Self {
            row_type,
            cells: Vec::with_capacity(bytes),
            rows: 0,
            is_single: false,
        }
    }

    /// Goes as the row itself where there is but one.
    pub(crate) fn single_if(mut self, is_single: bool) -> Self {
        self.is_single = is_single && self.rows == 1;
        self
    }

    /// Adds the row that `write` fills column by column.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Row<'_>)) {
        let at = self.cells.len();
        self.cells.extend_from_slice(&[0; 8]);
        let mut row = Row {
            cells: &mut self.cells,
            columns: 0,
        };
        write(&mut row);
        let columns = row.columns;
        // Longer than a message may be, it would be refused by the driver.
        let length = i32::try_from(self.cells.len() - at - 4).unwrap_or(i32::MAX);
        if let Some(place) = self.cells.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        if let Some(place) = self.cells.get_mut(at + 4..at + 8) {
            place.copy_from_slice(&columns.to_be_bytes());
        }
        self.rows += 1;
    }
}

/// A row that is being written.
pub(crate) struct Row<'a> {
    cells: &'a mut Vec<u8>,
    columns: i32,
}

impl Row<'_> {
    fn put(&mut self, oid: u32, value: Option<&[u8]>) {
        self.columns += 1;
        self.cells.extend_from_slice(&oid.to_be_bytes());
        match value {
            None => self.cells.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => {
                let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
                self.cells.extend_from_slice(&length.to_be_bytes());
                self.cells.extend_from_slice(value);
            }
        }
    }

    pub(crate) fn uuid(&mut self, value: Option<&Uuid>) {
        self.put(oid::UUID, value.map(|value| value.as_bytes().as_slice()));
    }

    pub(crate) fn big(&mut self, value: Option<i64>) {
        let bytes = value.map(i64::to_be_bytes);
        self.put(oid::INT8, bytes.as_ref().map(<[u8; 8]>::as_slice));
    }

    pub(crate) fn int(&mut self, value: i32) {
        self.put(oid::INT4, Some(&value.to_be_bytes()));
    }

    pub(crate) fn text(&mut self, value: Option<&[u8]>) {
        self.put(oid::TEXT, value);
    }

    pub(crate) fn time(&mut self, value: Option<DateTime<Utc>>) {
        /// 2000-01-01T00:00:00Z, where the server begins to count.
        const EPOCH_MICROS: i64 = 946_684_800_000_000;
        let bytes = value.map(|value| {
            let micros = value.timestamp_micros().saturating_sub(EPOCH_MICROS);
            micros.to_be_bytes()
        });
        self.put(oid::TIMESTAMPTZ, bytes.as_ref().map(<[u8; 8]>::as_slice));
    }

    /// JSON, given as its text.
    pub(crate) fn json(&mut self, value: Option<&[u8]>) {
        /// The one version of the binary form there is: a text follows.
        const VERSION: u8 = 1;
        let Some(value) = value else {
            return self.put(oid::JSONB, None);
        };
        self.columns += 1;
        self.cells.extend_from_slice(&oid::JSONB.to_be_bytes());
        let length = i32::try_from(value.len() + 1).unwrap_or(i32::MAX);
        self.cells.extend_from_slice(&length.to_be_bytes());
        self.cells.push(VERSION);
        self.cells.extend_from_slice(value);
    }
}

impl Type<Postgres> for Rows {
    /// The type of the array is that of each value.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("record[]")
    }

    fn compatible(_: &PgTypeInfo) -> bool {
        true
    }
}

impl Encode<'_, Postgres> for Rows {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if self.is_single {
            // Without the length that it has among others.
            buffer.extend_from_slice(self.cells.get(4..).unwrap_or_default());
            return Ok(IsNull::No);
        }
        let (dimensions, has_nulls, first) = (1_i32, 0_i32, 1_i32);
        buffer.extend_from_slice(&dimensions.to_be_bytes());
        buffer.extend_from_slice(&has_nulls.to_be_bytes());
        buffer.extend_from_slice(&self.row_type.row.0.to_be_bytes());
        buffer.extend_from_slice(&i32::try_from(self.rows)?.to_be_bytes());
        buffer.extend_from_slice(&first.to_be_bytes());
        buffer.extend_from_slice(&self.cells);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(match self.is_single {
            true => self.row_type.row,
            false => self.row_type.array,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_the_server_reads_composites() {
        let row_type = RowType {
            row: Oid(7),
            array: Oid(8),
        };
        let mut rows = Rows::new(row_type, 0);
        rows.push(|row| {
            row.int(5);
            row.json(Some(b"{}"));
            row.text(None);
        });
        rows.push(|row| row.time(DateTime::from_timestamp_micros(946_684_800_000_001)));
        let mut buffer = PgArgumentBuffer::default();
        let _ = rows.encode_by_ref(&mut buffer).unwrap();
        let words = |values: &[i32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_be_bytes())
                .collect()
        };
        let mut expected = words(&[1, 0, 7, 2, 1]);
        expected.extend(words(&[35, 3, 23, 4, 5, 3802, 3]));
        expected.extend(b"\x01{}");
        expected.extend(words(&[25, -1]));
        expected.extend(words(&[20, 1, 1184, 8, 0, 1]));
        assert_eq!(buffer.to_vec(), expected);
        assert_eq!(
            rows.produces().unwrap(),
            PgTypeInfo::with_oid(Oid(8)),
            "the driver must not guess"
        );
    }
}
