//! The typed models of definition documents.
//!
//! Every model reads and writes exactly the canonical form of its document: members that are left out stay left out,
//! defaults are applied by accessor methods, unknown members are refused.

pub mod builtin;
mod definition;
mod event;
mod execution;
mod implementation;
mod kind;
mod lifecycle;
pub mod load;
mod manual;
pub mod patterns;
mod retry;
mod schedule;
mod schema;
mod shape;
mod since;
mod step;
mod steps;
mod tag;
mod task;
mod transition;
mod trigger;
mod ui;
mod version;
mod workflow;

pub use definition::{Definition, DefinitionError, Deprecation, StoredDefinition, content_hash};
pub use event::{
    EventDefinition, EventPrivacy, EventUiMetadata, EventUiPriority, FieldPrivacy, Mask,
    PrivacyClass, Retention, SourceType,
};
pub use execution::{
    DataClassification, DeliveryMode, ExecutionConfig, ResourceRequirements, SecurityContext,
    SecurityLevel, TaskConcurrency,
};
pub use implementation::{
    AiAgentImplementation, AiAgentParameters, AiExample, AwsLambdaImplementation, DataMapping,
    HttpAuth, HttpAuthScheme, HttpImplementation, HttpMethod, HttpParameters, HumanImplementation,
    Implementation, ImplementationKind, InstanceSelector, InstanceSelectorType, IntegrationCall,
    IntegrationImplementation, IntegrationParameters, NativeImplementation, OnAuthError,
    ScriptImplementation, ScriptParameters, WorkerImplementation,
};
pub use kind::{DefinitionKind, UnknownKind};
pub use lifecycle::{LifecycleStatus, UnknownStatus};
pub use manual::{
    AllowedActions, Assignment, AssignmentMode, AssignmentStrategy, Candidates, Channel, Due,
    Escalation, EscalationAction, EscalationLevel, Interaction, Manual, ManualOutcome,
    Notifications, OnNoCandidates, Priority,
};
pub use retry::{ResolvedRetryPolicy, RetryPolicy};
pub use schedule::{
    MisfirePolicy, OverlapPolicy, ScheduleDefinition, ScheduleTarget, ScheduleType, TargetType,
    Timing,
};
pub use schema::{Compatibility, SchemaDefinition};
pub use since::Since;
pub use step::{Step, StepType};
pub use steps::{
    Branch, BranchFailure, DecisionStep, DelayStep, EndResult, EndStep, EventTimeout,
    EventWaitStep, ForEachStep, HumanTaskStep, ItemFailure, Join, JoinType, ParallelStep,
    ParentCancel, PassStep, PollStep, StartStep, SubWorkflowStep, TaskStep,
};
pub use tag::{
    CompensationType, EventTag, ScheduleTag, SchemaLink, SchemaTag, TaskTag, TriggerTag,
    WorkflowTag,
};
pub use task::{OnExhausted, TaskDefinition, TaskType};
pub use transition::{FailureAction, FailureHandler, OnFailure, OutcomeFilter, Transition};
pub use trigger::{DuplicatePolicy, TriggerDefinition, TriggerType};
pub use ui::{UiBinding, UiContext, UiSlot};
pub use version::{
    VersionCandidate, VersionRequirement, VersionRequirementError, compare_versions, select_version,
};
pub use workflow::{
    CancellationTrigger, CompensationStep, Concurrency, ExecutionLog, LogLevel, OnError,
    WorkflowDefinition,
};
