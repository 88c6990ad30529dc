//! What a `$ref` may say: a place in the same schema, or an exact version of a registered one.

use std::borrow::Cow;

use serde_json::Value;

use super::dialect::subschemas;
use crate::json::pointer;
use crate::validate::Finding;

/// A reference from a schema to an exact version of a registered one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SchemaReference {
    /// The schema it leads to.
    pub schema_id: String,
    /// Its version.
    pub version: String,
    /// Where the reference stands.
    pub pointer: String,
}

/// Every reference of a schema to a registered one, `aug://schema/<schemaId>/<version>`, in document order; those that
/// are not legal are left out.
///
/// ```
/// use augmented_core::schema::schema_references;
/// use serde_json::json;
/// let schema = json!({"properties": {"home": {"$ref": "aug://schema/address/1.0.0#/$defs/short"}}});
/// let found = schema_references(&schema);
/// assert_eq!((found[0].schema_id.as_str(), found[0].version.as_str()), ("address", "1.0.0"));
/// assert_eq!(found[0].pointer, "/properties/home/$ref");
/// ```
#[must_use]
pub fn schema_references(schema: &Value) -> Vec<SchemaReference> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), schema)];
    while let Some((at, schema)) = open.pop() {
        let Some(members) = schema.as_object() else {
            continue;
        };
        let named = ["$ref", "$dynamicRef"].into_iter().filter_map(|keyword| {
            let place = pointer::join(&at, keyword);
            let reference = parse(members.get(keyword)?.as_str()?, None, &place).ok()?;
            Some((place, reference.address?))
        });
        found.extend(named.map(|(place, address)| SchemaReference {
            schema_id: address.id,
            version: address.version,
            pointer: place,
        }));
        let below = subschemas(members).into_iter().rev();
        open.extend(below.map(|below| (format!("{at}{}", below.pointer), below.value)));
    }
    found
}

/// A legal reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reference {
    /// The registered schema meant; `None` for the same document.
    pub(super) address: Option<Address>,
    /// What follows `#`: empty, a JSON Pointer or an anchor; percent-decoded.
    pub(super) fragment: String,
}

/// An exact version of a registered schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) id: String,
    pub(super) version: String,
}

impl Address {
    /// Its text, without fragment.
    pub(super) fn uri(&self) -> String {
        format!("{SCHEME}{}/{}", self.id, self.version)
    }
}

pub(super) const SCHEME: &str = "aug://schema/";

/// Reads a reference of the document whose own `$id` is `own`.
pub(super) fn parse(
    text: &str,
    own: Option<&str>,
    pointer: &str,
) -> Result<Reference, Box<Finding>> {
    let (base, fragment) = text.split_once('#').unwrap_or((text, ""));
    let fragment = percent_decode(fragment).into_owned();
    let own = own.map(|own| own.trim_end_matches('#'));
    if base.is_empty() || own == Some(base) {
        return Ok(Reference {
            address: None,
            fragment,
        });
    }
    let Some(rest) = base.strip_prefix(SCHEME) else {
        let message = format!("the reference `{}` leaves the registry", cut(text));
        return Err(Box::new(
            Finding::error("REMOTE_REFERENCE_FORBIDDEN", pointer, message)
                .with_argument("reference", cut(text))
                .with_hint(format!("register the schema and refer to it as {SCHEME}<schemaId>/<version>, or put it under $defs")),
        ));
    };
    let floating = |why: &str| {
        Box::new(
            Finding::error(
                "FLOATING_REFERENCE",
                pointer,
                format!("the reference `{}` {why}", cut(text)),
            )
            .with_argument("reference", cut(text))
            .with_hint(format!(
                "name one exact version, for example {SCHEME}user-profile/1.0.0"
            )),
        )
    };
    let Some((id, version)) = rest.split_once('/') else {
        return Err(floating("names no version"));
    };
    if semver::Version::parse(version).is_err() {
        return Err(floating("does not name one exact version"));
    }
    Ok(Reference {
        address: Some(Address {
            id: id.to_owned(),
            version: version.to_owned(),
        }),
        fragment,
    })
}

fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(200) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// Undoes percent-encoding; what is no encoding stays.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits
            .filter(|_| byte == b'%')
            .and_then(|d| u8::from_str_radix(d, 16).ok())
        {
            Some(decoded) => {
                bytes.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match parse(text, Some("https://example.com/own"), "/$ref") {
            Ok(Reference {
                address: None,
                fragment,
            }) => format!("own {fragment}"),
            Ok(Reference {
                address: Some(address),
                fragment,
            }) => format!("{} {} {fragment}", address.id, address.version),
            Err(finding) => finding.code.into_owned(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn references_are_local_or_exact() {
        check("#", "own ");
        check("#/$defs/a%25b", "own /$defs/a%b");
        check("#node", "own node");
        check("https://example.com/own#/x", "own /x");
        check(
            "aug://schema/user.profile/1.2.0#/$defs/a",
            "user.profile 1.2.0 /$defs/a",
        );
        check("aug://schema/user/latest", "FLOATING_REFERENCE");
        check("aug://schema/user/^1.0.0", "FLOATING_REFERENCE");
        check("aug://schema/user", "FLOATING_REFERENCE");
        check("aug://schema/user/1.0", "FLOATING_REFERENCE");
        check("http://example.com/x.json", "REMOTE_REFERENCE_FORBIDDEN");
        check("file:///etc/passwd", "REMOTE_REFERENCE_FORBIDDEN");
        check("other.json", "REMOTE_REFERENCE_FORBIDDEN");
    }
}
