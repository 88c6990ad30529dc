//! A column of texts on its way to the server.

use augmented_core::store::StoreError;
use serde::Serialize;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Postgres, Type};

/// The texts of one column, in the form in which the server takes an array of them.
///
/// They are written one behind the other, each once: a batch has some ten texts a row, and a value of its own for each
/// would cost more than what they say.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// The cells, each behind its length; a missing one is the length -1 alone.
    cells: Vec<u8>,
    rows: usize,
    /// How many cells are not missing.
    filled: usize,
}

const LENGTH: usize = size_of::<i32>();

impl Texts {
    pub(crate) fn push(&mut self, text: Option<&str>) -> Result<(), StoreError> {
        match text {
            None => {
                self.push_none();
                Ok(())
            }
            Some(text) => self.push_with(|cells| {
                cells.extend_from_slice(text.as_bytes());
                Ok(())
            }),
        }
    }

    pub(crate) fn push_json<T: Serialize + ?Sized>(
        &mut self,
        value: Option<&T>,
    ) -> Result<(), StoreError> {
        match value {
            None => {
                self.push_none();
                Ok(())
            }
            Some(value) => self.push_with(|cells| {
                serde_json::to_writer(cells, value).map_err(|error| {
                    StoreError::corrupt(format!("a value cannot be written: {error}"))
                })
            }),
        }
    }

    fn push_none(&mut self) {
        self.cells.extend_from_slice(&(-1_i32).to_be_bytes());
        self.rows += 1;
    }

    /// Adds the cell that `write` puts behind the others.
    pub(crate) fn push_with(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let at = self.cells.len();
        self.cells.extend_from_slice(&[0; LENGTH]);
        write(&mut self.cells)?;
        let length = i32::try_from(self.cells.len() - at - LENGTH)
            .map_err(|_| StoreError::corrupt("a value is longer than 2 GiB"))?;
        if let Some(place) = self.cells.get_mut(at..at + LENGTH) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self.rows += 1;
        self.filled += 1;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.cells.len()
    }

    /// The texts one after the other; missing ones are none.
    pub(crate) fn cells(&self) -> Cells<'_> {
        Cells { rest: &self.cells }
    }
}

/// The texts of a column, one after the other.
pub(crate) struct Cells<'a> {
    rest: &'a [u8],
}

impl<'a> Cells<'a> {
    /// The next text; none where it is missing, and behind the last.
    pub(crate) fn take(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<LENGTH>()?;
        self.rest = rest;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
        let (text, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(text)
    }
}

impl Type<Postgres> for Texts {
    fn type_info() -> PgTypeInfo {
        <Vec<String> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Texts {
    /// A column without any value is an empty array: the statements fill it up.
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        const TEXT: u32 = 25;
        let rows = if self.filled == 0 { 0 } else { self.rows };
        let has_nulls = i32::from(self.filled < rows);
        let dimensions = i32::from(rows > 0);
        buffer.extend_from_slice(&dimensions.to_be_bytes());
        buffer.extend_from_slice(&has_nulls.to_be_bytes());
        buffer.extend_from_slice(&TEXT.to_be_bytes());
        if rows > 0 {
            let first = 1_i32;
            buffer.extend_from_slice(&i32::try_from(rows)?.to_be_bytes());
            buffer.extend_from_slice(&first.to_be_bytes());
            buffer.extend_from_slice(&self.cells);
        }
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(texts: &Texts) -> Vec<u8> {
        let mut buffer = PgArgumentBuffer::default();
        let _ = texts.encode_by_ref(&mut buffer).unwrap();
        buffer.to_vec()
    }

    /// What the driver writes for the same texts.
    fn reference(texts: &[Option<&str>]) -> Vec<u8> {
        let mut buffer = PgArgumentBuffer::default();
        let _ = texts.encode_by_ref(&mut buffer).unwrap();
        buffer.to_vec()
    }

    #[test]
    fn a_column_is_written_as_the_driver_writes_arrays() {
        let mut texts = Texts::default();
        texts.push(Some("ä")).unwrap();
        texts.push(None).unwrap();
        texts
            .push_json(Some(&serde_json::json!({ "a": 1 })))
            .unwrap();
        texts.push(Some("")).unwrap();
        texts.push_json::<u8>(None).unwrap();
        let written = encoded(&texts);
        let expected = reference(&[Some("ä"), None, Some("{\"a\":1}"), Some(""), None]);
        // The driver always says that there are missing ones, and leaves it to the server to look.
        assert_eq!(written[..4], expected[..4]);
        assert_eq!(written[4..8], 1_i32.to_be_bytes());
        assert_eq!(written[8..], expected[8..]);
    }

    #[test]
    fn a_column_without_values_is_empty() {
        let mut texts = Texts::default();
        texts.push(None).unwrap();
        assert_eq!(encoded(&texts), encoded(&Texts::default()));
        assert_eq!(encoded(&texts).len(), 12);
    }

    #[test]
    fn a_value_that_cannot_be_written_is_an_error() {
        let mut texts = Texts::default();
        let odd = std::collections::HashMap::from([((1, 2), 3)]);
        assert!(texts.push_json(Some(&odd)).is_err());
    }
}
