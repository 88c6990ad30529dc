//! How the work of a task is done.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::shape;
use super::step::split_tag;
use super::tag::present;
use crate::time::IsoDuration;

/// How the work of a task is done. Its `kind` says by what means, and which members it has.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Implementation {
    /// A handler written in Rust and registered by the host.
    Native(NativeImplementation),
    /// A worker of any language that polls for the handler's name.
    Worker(WorkerImplementation),
    /// A call of an HTTP address.
    Http(HttpImplementation),
    /// A sandboxed program.
    Script(ScriptImplementation),
    /// A language model.
    AiAgent(AiAgentImplementation),
    /// A function of AWS Lambda.
    AwsLambda(AwsLambdaImplementation),
    /// People.
    Human(HumanImplementation),
    /// A method of an integration.
    Integration(IntegrationImplementation),
}

/// By what means the work of a task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImplementationKind {
    /// A handler written in Rust and registered by the host.
    Native,
    /// A worker of any language that polls for the handler's name.
    Worker,
    /// A call of an HTTP address.
    Http,
    /// A sandboxed program.
    Script,
    /// A language model.
    AiAgent,
    /// A function of AWS Lambda.
    AwsLambda,
    /// People.
    Human,
    /// A method of an integration.
    Integration,
}

impl ImplementationKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Native,
        Self::Worker,
        Self::Http,
        Self::Script,
        Self::AiAgent,
        Self::AwsLambda,
        Self::Human,
        Self::Integration,
    ];

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "NATIVE",
            Self::Worker => "WORKER",
            Self::Http => "HTTP",
            Self::Script => "SCRIPT",
            Self::AiAgent => "AI_AGENT",
            Self::AwsLambda => "AWS_LAMBDA",
            Self::Human => "HUMAN",
            Self::Integration => "INTEGRATION",
        }
    }

    /// The kind of that wire name.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for ImplementationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Implementation {
    /// By what means the work is done.
    #[must_use]
    pub const fn kind(&self) -> ImplementationKind {
        match self {
            Self::Native(_) => ImplementationKind::Native,
            Self::Worker(_) => ImplementationKind::Worker,
            Self::Http(_) => ImplementationKind::Http,
            Self::Script(_) => ImplementationKind::Script,
            Self::AiAgent(_) => ImplementationKind::AiAgent,
            Self::AwsLambda(_) => ImplementationKind::AwsLambda,
            Self::Human(_) => ImplementationKind::Human,
            Self::Integration(_) => ImplementationKind::Integration,
        }
    }

    /// The handler name, address, module, model or function, where the kind has one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Native(native) => Some(&native.endpoint),
            Self::Worker(worker) => Some(&worker.endpoint),
            Self::Http(http) => Some(&http.endpoint),
            Self::Script(script) => script.endpoint.as_deref(),
            Self::AiAgent(agent) => Some(&agent.endpoint),
            Self::AwsLambda(function) => Some(&function.endpoint),
            Self::Human(_) | Self::Integration(_) => None,
        }
    }

    /// Free settings for the handler (NATIVE, WORKER).
    #[must_use]
    pub fn parameters(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Native(native) => native.parameters.as_ref(),
            Self::Worker(worker) => worker.parameters.as_ref(),
            Self::Http(_)
            | Self::Script(_)
            | Self::AiAgent(_)
            | Self::AwsLambda(_)
            | Self::Human(_)
            | Self::Integration(_) => None,
        }
    }
}

// By hand for the same reason as `Step`.
impl<'de> Deserialize<'de> for Implementation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (tag, members) = split_tag(deserializer, "kind")?;
        let Some(kind) = ImplementationKind::from_wire(&tag) else {
            return Err(de::Error::custom(format!(
                "`{tag}` is no implementation kind"
            )));
        };
        let result = match kind {
            ImplementationKind::Native => {
                NativeImplementation::deserialize(members).map(Self::Native)
            }
            ImplementationKind::Worker => {
                WorkerImplementation::deserialize(members).map(Self::Worker)
            }
            ImplementationKind::Http => HttpImplementation::deserialize(members).map(Self::Http),
            ImplementationKind::Script => {
                ScriptImplementation::deserialize(members).map(Self::Script)
            }
            ImplementationKind::AiAgent => {
                AiAgentImplementation::deserialize(members).map(Self::AiAgent)
            }
            ImplementationKind::AwsLambda => {
                AwsLambdaImplementation::deserialize(members).map(Self::AwsLambda)
            }
            ImplementationKind::Human => HumanImplementation::deserialize(members).map(Self::Human),
            ImplementationKind::Integration => {
                IntegrationImplementation::deserialize(members).map(Self::Integration)
            }
        };
        result.map_err(de::Error::custom)
    }
}

/// A handler written in Rust and registered by the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "NATIVE"))]
pub struct NativeImplementation {
    /// Name under which the host registered the handler.
    #[schemars(length(min = 1, max = 255), extend("examples" = ["payments.charge"]))]
    pub endpoint: String,
    /// Settings for the handler; it may declare a schema for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"currency": "EUR"}]))]
    pub parameters: Option<Map<String, Value>>,
}

/// A worker process of any language that polls for the handler's name; such a task always goes through a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "WORKER"))]
pub struct WorkerImplementation {
    /// Name of the handler, for which workers poll.
    #[schemars(length(min = 1, max = 255), extend("examples" = ["thumbnails.render"]))]
    pub endpoint: String,
    /// Settings, sent along with every task.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"size": 128}]))]
    pub parameters: Option<Map<String, Value>>,
}

/// A call of an HTTP address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "HTTP"))]
pub struct HttpImplementation {
    /// Address to call, an absolute https URL; a template over `input` and `task`.
    #[schemars(length(min = 1, max = 4096), extend("examples" = ["https://api.example.com/orders/${input.orderId}"]))]
    pub endpoint: String,
    /// How the call is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"method": "POST", "body": {"orderId": "${input.orderId}"}}]))]
    pub parameters: Option<HttpParameters>,
}

/// How an HTTP call is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpParameters {
    /// HTTP method. Default: POST with a body, else GET.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["POST"]))]
    pub method: Option<HttpMethod>,
    /// Headers by name; values are templates over `input` and `task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"Accept-Language": "en", "X-Order": "${input.orderId}"}]))]
    pub headers: Option<BTreeMap<String, String>>,
    /// Body to send, a mapping over `input` and `task`; sent as JSON unless it is text.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"orderId": "${input.orderId}"}]))]
    pub body: Option<Value>,
    /// Credentials to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"scheme": "BEARER", "secret": "secret:shop-token"}]))]
    pub auth: Option<HttpAuth>,
    /// Limit of the call. Default: PT30S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "PT30S"), extend("examples" = ["PT10S"]))]
    pub timeout: Option<IsoDuration>,
    /// Status codes that count as success. Default: 200 to 299.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(range(min = 100, max = 599)), extend("examples" = [[200, 201, 404]]))]
    pub validate_status: Option<Vec<u16>>,
    /// The largest answer that is read, in bytes. Default: 10485760 (10 MiB).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1073741824), extend("default" = 10485760), extend("examples" = [1048576]))]
    pub max_response_bytes: Option<u64>,
    /// Mapping over `status`, `headers` and `body` that builds the output. Default: an object of all three.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"total": "${body.total}"}]))]
    pub output: Option<Value>,
}

/// The method of an HTTP call.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HttpMethod {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Credentials of an HTTP call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::http_auth)]
pub struct HttpAuth {
    /// How the credentials are sent: BEARER token, BASIC user and password, or a HEADER of its own.
    #[schemars(extend("examples" = ["BEARER"]))]
    pub scheme: HttpAuthScheme,
    /// Name of the header with HEADER, of the user with BASIC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["X-Api-Key"]))]
    pub name: Option<String>,
    /// Where the secret is found: `secret:` and its name. The secret itself never stands in a definition.
    #[schemars(extend("examples" = ["secret:shop-token"]), transform = shape::secret_reference)]
    pub secret: String,
}

/// How credentials are sent.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HttpAuthScheme {
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
    /// A header of its own.
    Header,
}

/// A sandboxed program: a module the host registered, or code in `parameters`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "SCRIPT"))]
pub struct ScriptImplementation {
    /// Name of the module, unless `parameters.code` holds the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["rules.wasm"]))]
    pub endpoint: Option<String>,
    /// The program and its limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"runtime": "wasm", "fuel": 1000000}]))]
    pub parameters: Option<ScriptParameters>,
}

/// A sandboxed program and its limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ScriptParameters {
    /// The program itself: WebAssembly as base64 or as WAT text. Either this or `endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["(module (func (export \"run\")))"]))]
    pub code: Option<String>,
    /// What runs it: `wasm`, or another runtime of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), extend("examples" = ["wasm"]))]
    pub runtime: Option<String>,
    /// How many instructions it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9007199254740991_u64), extend("examples" = [1000000]))]
    pub fuel: Option<u64>,
}

/// A language model that is given a prompt and, maybe, tools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "AI_AGENT"))]
pub struct AiAgentImplementation {
    /// Name under which the host registered the model.
    #[schemars(length(min = 1, max = 255), extend("examples" = ["small-model"]))]
    pub endpoint: String,
    /// Prompts, tools and limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"systemPrompt": "You classify letters.", "userPrompt": "${input.text}"}]))]
    pub parameters: Option<AiAgentParameters>,
}

/// Prompts, tools and limits of a language model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct AiAgentParameters {
    /// Who the model is and what it must keep to, a template over `input` and `task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["You classify letters of customers."]))]
    pub system_prompt: Option<String>,
    /// What it is asked, a template over `input` and `task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Letter: ${input.text}"]))]
    pub user_prompt: Option<String>,
    /// Examples of good answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"input": {"text": "Where is my order?"}, "output": {"topic": "delivery"}}]]))]
    pub examples: Option<Vec<AiExample>>,
    /// Business ids of the tasks (NATIVE or HTTP) the model may call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [["find-order"]]), transform = shape::business_ids)]
    pub tools: Option<Vec<String>>,
    /// How freely it answers, from 0 to 2. Default: 0.7.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2), extend("default" = 0.7), extend("examples" = [0.2]))]
    pub temperature: Option<f64>,
    /// The longest answer, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000000), extend("examples" = [2000]))]
    pub max_tokens: Option<u32>,
    /// How many rounds of tool calls at most. Default: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50), extend("default" = 10), extend("examples" = [5]))]
    pub max_tool_rounds: Option<u32>,
    /// How often an answer that does not fit the output schema is sent back with its findings. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 5), extend("default" = 1), extend("examples" = [2]))]
    pub repair_rounds: Option<u32>,
}

/// An example for a language model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct AiExample {
    /// The input of the example.
    #[schemars(extend("examples" = [{"text": "Where is my order?"}]))]
    pub input: Value,
    /// The output that would be right.
    #[schemars(extend("examples" = [{"topic": "delivery"}]))]
    pub output: Value,
}

/// A function of AWS Lambda, called through a hook of the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "AWS_LAMBDA"))]
pub struct AwsLambdaImplementation {
    /// ARN or name of the function.
    #[schemars(length(min = 1, max = 255), extend("examples" = ["arn:aws:lambda:eu-central-1:123456789012:function:resize"]))]
    pub endpoint: String,
}

/// People; all settings stand in `manual`, the screens in `uiComponents`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "HUMAN"))]
pub struct HumanImplementation {}

/// A method of an integration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
#[schemars(transform = shape::tag("kind", "INTEGRATION"))]
pub struct IntegrationImplementation {
    /// Which method of which integration is called, and how.
    #[schemars(extend("examples" = [{"type": "stripe", "method": "createCharge"}]))]
    pub integration: IntegrationCall,
    /// Settings of this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"monitoring": {"enabled": true}}]))]
    pub parameters: Option<IntegrationParameters>,
}

/// Settings of an integration call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct IntegrationParameters {
    /// Rate limit settings for the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"requestsPerMinute": 60}]))]
    pub rate_limit: Option<Map<String, Value>>,
    /// Feature switches for the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"sandbox": true}]))]
    pub features: Option<Map<String, Value>>,
    /// Monitoring settings for the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"enabled": true}]))]
    pub monitoring: Option<Map<String, Value>>,
}

/// Which method of which integration is called, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct IntegrationCall {
    /// Business id of the integration.
    #[serde(rename = "type")]
    #[schemars(extend("examples" = ["stripe"]), transform = shape::business_id)]
    pub integration_id: String,
    /// Id of the method.
    #[schemars(length(min = 1, max = 255), extend("examples" = ["createCharge"]))]
    pub method: String,
    /// How the integration instance, that is the connection, is chosen. Default: by context.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"type": "EXPLICIT", "value": "stripe-production"}]))]
    pub instance_selector: Option<InstanceSelector>,
    /// Whether another instance may be used when the chosen one is unavailable. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub allow_fallback: Option<bool>,
    /// What happens when the credentials are refused: FAIL, or PARK the task until they are renewed. Default: FAIL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "FAIL"), extend("examples" = ["PARK"]))]
    pub on_auth_error: Option<OnAuthError>,
    /// Mappings between the task and the method. Default: data passes through.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"inputMapping": {"amount": "${input.amount}"}}]))]
    pub data_mapping: Option<DataMapping>,
}

/// How an integration instance is chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct InstanceSelector {
    /// EXPLICIT names the instance in `value`, RULE names a rule there, CONTEXT takes the one that fits tenant and environment. Default: CONTEXT.
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    #[schemars(extend("default" = "CONTEXT"), extend("examples" = ["EXPLICIT"]))]
    pub selector_type: Option<InstanceSelectorType>,
    /// The instance or the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), extend("examples" = ["stripe-production"]))]
    pub value: Option<String>,
    /// Parameters of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"region": "eu"}]))]
    pub parameters: Option<Map<String, Value>>,
}

/// How an integration instance is chosen.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceSelectorType {
    /// The one that fits tenant and environment.
    #[default]
    Context,
    /// The one that is named.
    Explicit,
    /// The one a rule of the host gives.
    Rule,
}

/// What happens when credentials are refused.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnAuthError {
    /// The attempt fails.
    #[default]
    Fail,
    /// The task waits until they are renewed.
    Park,
}

/// Mappings between a task and the method of an integration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct DataMapping {
    /// Mapping over `input` that builds the method's input.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"amount": "${input.amount}"}]))]
    pub input_mapping: Option<Value>,
    /// Mapping over `output` that builds the task's output.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(extend("examples" = [{"paymentId": "${output.id}"}]))]
    pub output_mapping: Option<Value>,
}
