//! How definitions name the UI components that show them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shape;
use super::tag::present;

/// A UI component bound to a task or a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct UiBinding {
    /// Business id of the component, or the id, `@` and a version.
    #[schemars(extend("examples" = ["order-form", "order-form@1.2.0"]), transform = shape::component_reference)]
    pub component_id: String,
    /// Expression that must be true for the component to be shown; one that cannot be evaluated counts as false. Default: always shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["task.priority == 'HIGH'"]))]
    pub condition: Option<String>,
    /// Among the entries that fit, the one with the highest number is shown. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 0), extend("examples" = [10]))]
    pub priority: Option<i32>,
    /// Where it stands: MAIN shows one component, ASIDE all that fit. Default: MAIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "MAIN"), extend("examples" = ["ASIDE"]))]
    pub slot: Option<UiSlot>,
    /// Mapping that builds the component's `data`. Default: the input of the task, or the run.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"order": "${input.order}"}]))]
    pub data: Option<Value>,
    /// How the component is introduced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"title": "Order ${input.orderId}", "layout": "CARD"}]))]
    pub context: Option<UiContext>,
}

/// Where a component stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UiSlot {
    /// The one main place.
    #[default]
    Main,
    /// Beside it.
    Aside,
}

/// How a component is introduced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct UiContext {
    /// Heading above the component, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Order ${input.orderId}"]))]
    pub title: Option<String>,
    /// Text below the heading, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Check the address first."]))]
    pub description: Option<String>,
    /// A hint how to lay it out, for example TIMELINE, CARD, ALERT or PANEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["TIMELINE", "CARD"]))]
    pub layout: Option<String>,
}
