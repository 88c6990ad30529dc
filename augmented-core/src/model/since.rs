//! How old an awaited event may be.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::IsoDuration;

/// How old an event may be that an EVENT_WAIT takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// Events since the instance began.
    #[default]
    Instance,
    /// Events since the step was entered.
    Step,
    /// Events since this long before the step was entered.
    Before(IsoDuration),
}

impl Serialize for Since {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Instance => "INSTANCE",
            Self::Step => "STEP",
            Self::Before(length) => length.as_str(),
        })
    }
}

impl<'de> Deserialize<'de> for Since {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "INSTANCE" => Self::Instance,
            "STEP" => Self::Step,
            length => Self::Before(length.parse().map_err(de::Error::custom)?),
        })
    }
}
