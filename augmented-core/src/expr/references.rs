//! What an expression reads, for checks that know the document.

/// One segment of a path below a root.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathSegment {
    /// A member, written `.name` or `["name"]`.
    Member(Box<str>),
    /// An element of a list.
    Index(i64),
    /// Every element of a list in turn, where a loop such as `map` or `exists` reads it.
    Each,
}

/// One read of a root and the static path below it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The root.
    pub root: Box<str>,
    /// The path below it as far as it is known before anything runs.
    pub path: Vec<PathSegment>,
    /// Where it stands, in Unicode scalar values from the start of the source.
    pub offset: Option<usize>,
    /// The first segment of the path that may be missing without harm, with all below it: read by `has`, through
    /// `.?`, or inside `coalesce`.
    pub guarded_from: Option<usize>,
    /// How many leading segments are known to exist, because a `has` before says so.
    pub known_segments: usize,
    /// Whether an index known only at evaluation follows the path.
    pub dynamic: bool,
}

impl Reference {
    /// Whether the segment at a place of the path may be missing without harm, for example 0 for the step of `steps.<id>`.
    #[must_use]
    pub fn guards(&self, segment: usize) -> bool {
        segment < self.known_segments || self.guarded_from.is_some_and(|from| from <= segment)
    }

    /// The member directly below the root, for example the step id of `steps.<id>…`.
    #[must_use]
    pub fn first_member(&self) -> Option<&str> {
        match self.path.first() {
            Some(PathSegment::Member(name)) => Some(name),
            _ => None,
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.root)?;
        for segment in &self.path {
            match segment {
                PathSegment::Member(name) if is_name(name) => write!(f, ".{name}")?,
                PathSegment::Member(name) => write!(f, "[{name:?}]")?,
                PathSegment::Index(at) => write!(f, "[{at}]")?,
                PathSegment::Each => f.write_str("[]")?,
            }
        }
        if self.dynamic {
            f.write_str("[?]")
        } else {
            Ok(())
        }
    }
}

/// Everything an expression reads, in the order of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References(pub(crate) Vec<Reference>);

impl References {
    /// All reads, in the order of the source.
    pub fn iter(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter()
    }

    /// The reads of one root.
    pub fn of<'r>(&'r self, root: &'r str) -> impl Iterator<Item = &'r Reference> {
        self.0
            .iter()
            .filter(move |reference| &*reference.root == root)
    }

    /// The reads of workflow variables, `vars.<name>`, with the name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Reference)> {
        self.of("vars")
            .filter_map(|reference| Some((reference.first_member()?, reference)))
    }

    /// The reads of steps, `steps.<id>` or `steps["id"]`, with the id.
    pub fn steps(&self) -> impl Iterator<Item = (&str, &Reference)> {
        self.of("steps")
            .filter_map(|reference| Some((reference.first_member()?, reference)))
    }

    /// Whether the root is read at all.
    #[must_use]
    pub fn reads(&self, root: &str) -> bool {
        self.0.iter().any(|reference| &*reference.root == root)
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
