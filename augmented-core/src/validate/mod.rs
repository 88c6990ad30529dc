//! Validation: findings, and the checks that make them.
//!
//! A document passes through levels: L1 the JSON Schema of its kind, L2 the schemas inside it, L3 the rules of its
//! kind, L4 what it refers to, L5 what the host has and allows. [`DefinitionValidator`] runs them and gives a
//! [`Report`] with every finding; only a document without errors becomes a [`Published`] definition.
//!
//! One cause gives one finding, and what a certain repair would repair is reported, then taken as repaired, so that one
//! call tells all there is to tell.

mod arguments;
mod dataflow;
mod embedded;
mod event_pattern;
mod expressions;
mod finding;
pub mod fix;
mod flow;
mod graph;
mod host;
mod hosted;
mod linked;
mod links;
mod messages;
mod place;
mod published;
pub mod render;
mod report;
mod resolver;
mod rules;
mod structure;
mod validator;
mod wording;

pub use arguments::Arguments;
pub use embedded::schema_references;
pub use finding::{Finding, PatchOp, Related, Severity};
pub use host::{HandlerContract, HostRegistry, PolicyCheck, Registration, RuleSet, SemanticRule};
pub use linked::{DefinitionReference, references};
pub use messages::{MessageCatalog, localise};
pub use published::Published;
pub use report::{Report, value_hash};
pub use resolver::{DefinitionCatalogue, KnownDefinition, NoReferences, ReferenceResolver};
pub use validator::{DefinitionValidator, Document, Purpose};
pub(crate) use wording::cut;
