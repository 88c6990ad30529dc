//! Writes values as MessagePack in which members and variants go by number.
//!
//! `rmp_serde` names every member, and in records of many small parts the names are two thirds of the bytes. Its reader
//! and the readers that serde derives take the place of a member in its type for the name, so only the writing side is
//! made here. What is written lives no longer than the process, so no two versions of a type ever meet.

use std::fmt::{self, Display};

use rmp::encode;
use serde::{Serialize, ser};

/// Appends a value to `bytes`; what `rmp_serde` reads from there is equal to it.
///
/// # Errors
/// A value with a list or map that does not know its length, or with more than 2^32 elements.
pub(crate) fn write<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    value.serialize(Writer { bytes })
}

/// Why a value cannot be written.
#[derive(Debug)]
pub(crate) struct Unwritable(String);

impl Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Writing to a vector fails only where a length does not fit.
fn written<T, E: Display>(result: Result<T, E>) -> Result<(), Unwritable> {
    result.map(|_| ()).map_err(ser::Error::custom)
}

fn length(length: Option<usize>) -> Result<u32, Unwritable> {
    length
        .and_then(|length| u32::try_from(length).ok())
        .ok_or_else(|| ser::Error::custom("a length is unknown or too large"))
}

struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// The head of an enum with data: a map of one entry, from the number of the variant to the data.
    fn variant(self, variant: u32) -> Result<Self, Unwritable> {
        written(encode::write_map_len(self.bytes, 1))?;
        written(encode::write_uint(self.bytes, variant.into()))?;
        Ok(self)
    }

    fn list(self, length: u32) -> Result<Elements<'a>, Unwritable> {
        written(encode::write_array_len(self.bytes, length))?;
        Ok(Elements { bytes: self.bytes })
    }

    fn members(self, name: &str, length: u32) -> Result<Members<'a>, Unwritable> {
        written(encode::write_map_len(self.bytes, length))?;
        Ok(Members {
            bytes: self.bytes,
            // The numbers of a JSON value may come as a structure that is known by the name of its member.
            named: name.starts_with('$'),
            next: 0,
        })
    }
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Elements<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
        written(encode::write_bool(self.bytes, value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Unwritable> {
        written(encode::write_sint(self.bytes, value))
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unwritable> {
        written(encode::write_uint(self.bytes, value))
    }

    fn serialize_f32(self, value: f32) -> Result<(), Unwritable> {
        written(encode::write_f32(self.bytes, value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unwritable> {
        written(encode::write_f64(self.bytes, value))
    }

    fn serialize_char(self, value: char) -> Result<(), Unwritable> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
        length(Some(value.len()))?;
        written(encode::write_str(self.bytes, value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritable> {
        length(Some(value.len()))?;
        written(encode::write_bin(self.bytes, value))
    }

    fn serialize_none(self) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unwritable> {
        written(encode::write_nil(self.bytes))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        self.list(0).map(|_| ())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
    ) -> Result<(), Unwritable> {
        self.serialize_u32(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, elements: Option<usize>) -> Result<Elements<'a>, Unwritable> {
        self.list(length(elements)?)
    }

    fn serialize_tuple(self, elements: usize) -> Result<Elements<'a>, Unwritable> {
        self.list(length(Some(elements))?)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        elements: usize,
    ) -> Result<Elements<'a>, Unwritable> {
        self.list(length(Some(elements))?)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        elements: usize,
    ) -> Result<Elements<'a>, Unwritable> {
        self.variant(variant)?.list(length(Some(elements))?)
    }

    fn serialize_map(self, entries: Option<usize>) -> Result<Elements<'a>, Unwritable> {
        written(encode::write_map_len(self.bytes, length(entries)?))?;
        Ok(Elements { bytes: self.bytes })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        members: usize,
    ) -> Result<Members<'a>, Unwritable> {
        self.members(name, length(Some(members))?)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        variant: u32,
        _: &'static str,
        members: usize,
    ) -> Result<Members<'a>, Unwritable> {
        self.variant(variant)?.members(name, length(Some(members))?)
    }
}

/// The elements of a list, or the keys and values of a map, one after the other.
struct Elements<'a> {
    bytes: &'a mut Vec<u8>,
}

impl Elements<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        write(value, self.bytes)
    }
}

impl ser::SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add(value)
    }

    fn end(self) -> Result<(), Unwritable> {
        Ok(())
    }
}

impl ser::SerializeTuple for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add(value)
    }

    fn end(self) -> Result<(), Unwritable> {
        Ok(())
    }
}

impl ser::SerializeTupleStruct for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add(value)
    }

    fn end(self) -> Result<(), Unwritable> {
        Ok(())
    }
}

impl ser::SerializeTupleVariant for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add(value)
    }

    fn end(self) -> Result<(), Unwritable> {
        Ok(())
    }
}

impl ser::SerializeMap for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.add(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add(value)
    }

    fn end(self) -> Result<(), Unwritable> {
        Ok(())
    }
}

/// The members of a structure, each behind its number: those that are left out count, too.
struct Members<'a> {
    bytes: &'a mut Vec<u8>,
    named: bool,
    next: u64,
}

impl Members<'_> {
    fn add<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        match self.named {
            true => written(encode::write_str(self.bytes, name))?,
            false => written(encode::write_uint(self.bytes, self.next))?,
        }
        self.next += 1;
        write(value, self.bytes)
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.add(name, value)
    }

    fn skip_field(&mut self, _: &'static str) -> Result<(), Unwritable> {
        self.next += 1;
        Ok(())
    }

    fn end(self) -> Result<(), Unwritable> {
        Ok(())
    }
}

impl ser::SerializeStructVariant for Members<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.add(name, value)
    }

    fn skip_field(&mut self, _: &'static str) -> Result<(), Unwritable> {
        self.next += 1;
        Ok(())
    }

    fn end(self) -> Result<(), Unwritable> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Parts {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        number: i64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shapes: Vec<Shape>,
        by_number: BTreeMap<u32, f64>,
        value: Value,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    enum Shape {
        Plain,
        Data(String),
        Pair(u8, char),
        Named {
            #[serde(skip_serializing_if = "Option::is_none")]
            left_out: Option<u8>,
            given: bool,
        },
    }

    fn there_and_back<T: Serialize + DeserializeOwned>(value: &T) -> (T, usize) {
        let mut bytes = Vec::new();
        write(value, &mut bytes).unwrap();
        (rmp_serde::from_slice(&bytes).unwrap(), bytes.len())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let parts = Parts {
            left_out: None,
            number: i64::MIN,
            shapes: vec![
                Shape::Plain,
                Shape::Data("text".into()),
                Shape::Pair(7, 'ß'),
                Shape::Named {
                    left_out: None,
                    given: true,
                },
                Shape::Named {
                    left_out: Some(1),
                    given: false,
                },
            ],
            by_number: BTreeMap::from([(1, 0.1), (70_000, -1e300)]),
            value: json!({"a": [null, true, 1, -1, 1.5, u64::MAX, i64::MIN, "x"], "b": {}, "": []}),
        };
        let (back, length) = there_and_back(&parts);
        assert_eq!(back, parts);
        assert!(length < 130, "{length} bytes");
    }

    #[test]
    fn a_structure_that_stands_for_a_number_keeps_the_name_of_its_member() {
        #[derive(Serialize)]
        #[serde(rename = "$private::Number")]
        struct Number {
            #[serde(rename = "$private::Number")]
            text: &'static str,
        }
        let mut bytes = Vec::new();
        write(&Number { text: "1e400" }, &mut bytes).unwrap();
        let back: Value = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back, json!({"$private::Number": "1e400"}));
    }

    #[test]
    fn a_list_of_unknown_length_is_refused() {
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq((0..10).filter(|n| n % 2 == 0))
            }
        }
        assert!(write(&Endless, &mut Vec::new()).is_err());
    }
}
