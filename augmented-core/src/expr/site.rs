//! The places expressions stand at: what they may read there and how errors count.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use super::functions::HostFunction;
use super::shape::{self, Shape};

/// How errors of an evaluation count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A missing member is an error.
    Strict,
    /// A missing member reads null, and ordering against null is false; for event conditions, correlation keys and UI visibility.
    Lenient,
}

/// What kind of field the text stands in; it decides which import forms are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldClass {
    /// A bare expression that must yield a bool.
    Condition,
    /// A bare expression of any type.
    Value,
    /// JSON whose strings may hold `${…}`.
    Mapping,
}

/// A place an expression may stand at; cheap to clone.
///
/// ```
/// use augmented_core::expr::{ExprSite, Profile};
/// let site = ExprSite::for_each_items().with_item("order");
/// assert!(site.allows("order") && site.allows("index") && !site.allows("event"));
/// assert_eq!(ExprSite::event_condition().profile(), Profile::Lenient);
/// ```
#[derive(Clone, Debug)]
pub struct ExprSite(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    name: Cow<'static, str>,
    profile: Profile,
    class: FieldClass,
    /// What `$.x` and `data.x` of older definitions mean here.
    data_root: &'static str,
    roots: Vec<(Cow<'static, str>, Shape)>,
    functions: Vec<HostFunction>,
}

/// Builds each site once and clones the handle.
macro_rules! sites {
    ($($(#[$doc:meta])* $name:ident: $title:literal, $profile:ident, $class:ident, $data:literal, [$($root:literal)*];)*) => {
        impl ExprSite {
            $($(#[$doc])*
            #[must_use]
            pub fn $name() -> Self {
                static SITE: LazyLock<ExprSite> = LazyLock::new(|| {
                    ExprSite::built_in($title, Profile::$profile, FieldClass::$class, $data, &[$($root),*])
                });
                SITE.clone()
            })*

            /// Every site of the workflow, task, event and schedule definitions.
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self::$name()),*]
            }
        }
    };
}

sites! {
    /// `variables` of a workflow: evaluated before anything else exists.
    workflow_variable: "variables", Strict, Mapping, "input", ["input" "now"];
    /// `concurrency.key` of a workflow or a task.
    concurrency_key: "concurrency.key", Strict, Value, "input", ["input" "now"];
    /// `input` of a step.
    step_input: "input", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `instructions`, `correlationId` and other templates of a step.
    step_template: "step template", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `outputMapping` of a step.
    step_output: "outputMapping", Strict, Mapping, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome"];
    /// A value under `assign`.
    assign: "assign", Strict, Mapping, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome"];
    /// `condition` of a transition.
    transition_condition: "transition condition", Strict, Condition, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome"];
    /// `condition` of an onFailure handler.
    failure_condition: "handler condition", Strict, Condition, "error", ["input" "vars" "steps" "workflow" "now" "error"];
    /// `inputMapping` of an onFailure handler.
    failure_input: "handler inputMapping", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now" "error"];
    /// `onError.inputMapping` of a workflow.
    on_error_input: "onError inputMapping", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now" "error"];
    /// `until` of a POLL step.
    poll_until: "until", Strict, Condition, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome"];
    /// `items` of a FOR_EACH step.
    for_each_items: "items", Strict, Value, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `correlationKey` of an EVENT_WAIT step or a cancellation trigger: the value on the event's side.
    correlation_key: "correlationKey", Lenient, Value, "event.payload", ["event" "now"];
    /// `correlationValue` of an EVENT_WAIT step or a cancellation trigger: the value on the instance's side.
    correlation_value: "correlationValue", Strict, Value, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `eventCondition` of an EVENT_WAIT step.
    event_condition: "eventCondition", Lenient, Condition, "event.payload", ["event" "input" "vars" "steps" "workflow" "now"];
    /// `outputMapping` and `assign` of an EVENT_WAIT step, whose raw output is the envelope.
    event_output: "outputMapping", Strict, Mapping, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome" "event"];
    /// `condition` of a transition of an EVENT_WAIT step.
    event_transition: "transition condition", Strict, Condition, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome" "event"];
    /// `outputMapping` and `assign` of a step that waits for a signal.
    signal_output: "outputMapping", Strict, Mapping, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome" "signal"];
    /// `condition` of a transition of a step that waits for a signal.
    signal_transition: "transition condition", Strict, Condition, "output", ["input" "vars" "steps" "workflow" "now" "output" "outcome" "signal"];
    /// `until` of a DELAY step or an event timeout.
    delay_until: "until", Strict, Value, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `output` and `errorMessage` of an END step.
    end_output: "END output", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `output` of a workflow.
    workflow_output: "output", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `input` of a compensation step.
    compensation_input: "compensation input", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now" "error"];
    /// `condition` of a compensation step.
    compensation_condition: "compensation condition", Strict, Condition, "input", ["input" "vars" "steps" "workflow" "now" "error"];
    /// `eventCondition` of a cancellation trigger.
    cancellation_condition: "cancellation eventCondition", Lenient, Condition, "event.payload", ["event" "input" "vars" "steps" "workflow" "now"];
    /// `eventCondition` of a trigger.
    trigger_condition: "trigger eventCondition", Lenient, Condition, "event.payload", ["event" "now"];
    /// `inputMapping` of a trigger.
    trigger_mapping: "trigger inputMapping", Strict, Mapping, "event.payload", ["event" "now"];
    /// `correlationKey` of a trigger.
    trigger_key: "trigger correlationKey", Lenient, Value, "event.payload", ["event" "now"];
    /// `streamKey` of an event definition.
    stream_key: "streamKey", Lenient, Value, "event.payload", ["event" "now"];
    /// `input` of a schedule.
    schedule_input: "schedule input", Strict, Mapping, "schedule", ["schedule" "now"];
    /// `data` of an entry of `uiComponents`.
    ui_data: "uiComponents data", Strict, Mapping, "input", ["input" "vars" "steps" "workflow" "now"];
    /// `condition` of an entry of `uiComponents`.
    ui_condition: "uiComponents condition", Lenient, Condition, "input", ["input" "vars" "steps" "workflow" "now"];
    /// Templates of a task definition's `implementation`.
    task_template: "task template", Strict, Mapping, "input", ["input" "task" "now"];
    /// Templates of a task definition's `manual` object.
    manual_template: "manual template", Strict, Mapping, "input", ["input" "workflow" "now"];
    /// `due.expression` of a task definition's `manual` object.
    due_expression: "due expression", Strict, Value, "input", ["input" "workflow" "now"];
}

impl ExprSite {
    /// A site of another area: give it its roots with [`ExprSite::with_root`].
    ///
    /// ```
    /// use augmented_core::expr::{ExprSite, FieldClass, Profile, Shape};
    /// let policy = ExprSite::new("policy condition", Profile::Strict, FieldClass::Condition)
    ///     .with_root("principal", Shape::record("principal", [("id", Shape::Text), ("attr", Shape::Data)]));
    /// assert!(policy.allows("principal"));
    /// ```
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, profile: Profile, class: FieldClass) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            profile,
            class,
            data_root: "input",
            roots: Vec::new(),
            functions: Vec::new(),
        }))
    }

    fn built_in(
        name: &'static str,
        profile: Profile,
        class: FieldClass,
        data_root: &'static str,
        roots: &[&'static str],
    ) -> Self {
        let roots = roots
            .iter()
            .map(|root| (Cow::Borrowed(*root), shape_of(root)))
            .collect();
        Self(Arc::new(Inner {
            name: Cow::Borrowed(name),
            profile,
            class,
            data_root,
            roots,
            functions: Vec::new(),
        }))
    }

    fn changed(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner::clone(&self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Adds a root, or replaces what is known of it.
    #[must_use]
    pub fn with_root(&self, root: impl Into<Cow<'static, str>>, shape: Shape) -> Self {
        let root = root.into();
        self.changed(|inner| {
            inner.roots.retain(|(name, _)| *name != root);
            inner.roots.push((root, shape));
        })
    }

    /// The same place inside a FOR_EACH body: adds the item's root and `index`.
    #[must_use]
    pub fn with_item(&self, name: impl Into<String>) -> Self {
        self.with_root(Cow::Owned(name.into()), Shape::Data)
            .with_root("index", Shape::Number)
    }

    /// The same place in a step that handles an error: adds the root `error`.
    #[must_use]
    pub fn with_error(&self) -> Self {
        self.with_root("error", Shape::Record(&shape::ERROR))
    }

    /// Adds a function that exists at this place only.
    #[must_use]
    pub fn with_function(&self, function: HostFunction) -> Self {
        self.changed(|inner| inner.functions.push(function))
    }

    /// What the place is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How errors count here.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// The kind of field.
    #[must_use]
    pub fn class(&self) -> FieldClass {
        self.0.class
    }

    /// Whether the root may be read here.
    #[must_use]
    pub fn allows(&self, root: &str) -> bool {
        self.shape(root).is_some()
    }

    /// What is known of a root; `None` if it may not be read here.
    #[must_use]
    pub fn shape(&self, root: &str) -> Option<&Shape> {
        self.0
            .roots
            .iter()
            .find(|(name, _)| name == root)
            .map(|(_, shape)| shape)
    }

    /// The roots that may be read here, in the order of their declaration.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.0.roots.iter().map(|(name, _)| name.as_ref())
    }

    pub(crate) fn functions(&self) -> &[HostFunction] {
        &self.0.functions
    }

    /// What `$.x` and `data.x` of older definitions mean here.
    pub(crate) fn data_root(&self) -> &'static str {
        self.0.data_root
    }
}

/// What is known of the roots that mean the same at every place.
fn shape_of(root: &str) -> Shape {
    match root {
        "steps" => Shape::Steps,
        "workflow" => Shape::Record(&shape::WORKFLOW),
        "event" => Shape::Record(&shape::EVENT),
        "signal" => Shape::Record(&shape::SIGNAL),
        "error" => Shape::Record(&shape::ERROR),
        "schedule" => Shape::Record(&shape::SCHEDULE),
        "task" => Shape::Record(&shape::TASK),
        "outcome" => Shape::Text,
        "now" => Shape::Instant,
        "index" => Shape::Number,
        _ => Shape::Data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_read_the_input_and_nothing_of_the_instance() {
        let site = ExprSite::workflow_variable();
        assert_eq!(site.roots().collect::<Vec<_>>(), ["input", "now"]);
    }

    #[test]
    fn only_events_and_visibility_are_lenient() {
        let lenient: Vec<String> = ExprSite::all()
            .iter()
            .filter(|site| site.profile() == Profile::Lenient)
            .map(|site| site.name().to_owned())
            .collect();
        assert_eq!(
            lenient,
            [
                "correlationKey",
                "eventCondition",
                "cancellation eventCondition",
                "trigger eventCondition",
                "trigger correlationKey",
                "streamKey",
                "uiComponents condition"
            ]
        );
    }

    #[test]
    fn a_root_is_added_to_the_copy_only() {
        let site = ExprSite::step_input();
        assert!(site.with_error().allows("error"));
        assert!(!site.allows("error"));
    }
}
