//! Task handlers: plain async functions over typed values, and their erased form.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::context::TaskContext;
use super::derived::derived_schema;
use super::error::TaskError;
use super::output::{IntoTaskOutput, TaskOutput};

/// A task handler with state of its own; a handler without state is a plain `async fn`.
///
/// ```
/// use augmented_engine::{TaskContext, TaskError, TaskHandler};
/// use serde_json::{Value, json};
///
/// struct Greeter { greeting: String }
///
/// impl TaskHandler for Greeter {
///     type Input = Value;
///     type Output = Value;
///
///     async fn handle(&self, _ctx: TaskContext, input: Value) -> Result<Value, TaskError> {
///         Ok(json!({ "text": format!("{} {}", self.greeting, input["name"]) }))
///     }
/// }
/// ```
pub trait TaskHandler: Send + Sync + 'static {
    /// What it takes; `serde_json::Value` takes anything.
    type Input: DeserializeOwned + JsonSchema + Send + 'static;
    /// What it returns.
    type Output: IntoTaskOutput;

    /// Does the work of one attempt.
    ///
    /// # Cancel safety
    /// The future is dropped when the attempt is over time or cancelled for longer than its grace, so work that
    /// must not be torn apart belongs behind the idempotency key of the context.
    fn handle(
        &self,
        ctx: TaskContext,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, TaskError>> + Send;
}

/// Everything that can be registered as a task handler: `async fn(TaskContext, I) -> Result<O, TaskError>`,
/// `async fn(I) -> Result<O, TaskError>`, closures of these shapes, and [`TaskHandler`]s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task handler",
    note = "write `async fn(TaskContext, YourInput) -> Result<YourOutput, TaskError>`, where `YourInput` implements `Deserialize` and `JsonSchema` and `YourOutput` implements `Serialize` and `JsonSchema`"
)]
pub trait IntoTask<Args> {
    /// The erased form.
    fn into_task(self) -> Arc<dyn DynTask>;
}

/// Everything that can be registered as a blocking task handler: `fn(TaskContext, I) -> Result<O, TaskError>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking task handler",
    note = "write `fn(TaskContext, YourInput) -> Result<YourOutput, TaskError>`, without `async`"
)]
pub trait IntoBlockingTask<Args> {
    /// The erased form.
    fn into_blocking_task(self) -> Arc<dyn DynTask>;
}

/// A task handler without its types.
pub trait DynTask: Send + Sync + 'static {
    /// Begins one attempt.
    fn call(
        &self,
        ctx: TaskContext,
        input: Arc<Value>,
    ) -> BoxFuture<'static, Result<TaskOutput, TaskError>>;

    /// The JSON Schema of what it takes.
    fn input_schema(&self) -> &Value;

    /// The JSON Schema of what it returns.
    fn output_schema(&self) -> &Value;
}

/// The JSON Schemas of a handler's types.
struct Schemas {
    input: Value,
    output: Value,
}

impl Schemas {
    fn of<I: JsonSchema, O: IntoTaskOutput>() -> Self {
        Self {
            input: derived_schema(|generator| generator.root_schema_for::<I>()),
            output: derived_schema(O::schema),
        }
    }
}

/// Reads a typed input straight from the shared JSON, without a copy of the tree.
fn read_input<I: DeserializeOwned>(input: &Value) -> Result<I, TaskError> {
    I::deserialize(input).map_err(|error| TaskError::input_refused(&error))
}

/// A future that is already there.
fn ready(
    result: Result<TaskOutput, TaskError>,
) -> BoxFuture<'static, Result<TaskOutput, TaskError>> {
    Box::pin(std::future::ready(result))
}

/// A function over context and input.
struct WithContext<F, I, O> {
    function: F,
    schemas: Schemas,
    types: PhantomData<fn(I) -> O>,
}

impl<F, I, O, Fut> DynTask for WithContext<F, I, O>
where
    F: Fn(TaskContext, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, TaskError>> + Send + 'static,
    I: DeserializeOwned + Send + 'static,
    O: IntoTaskOutput,
{
    fn call(
        &self,
        ctx: TaskContext,
        input: Arc<Value>,
    ) -> BoxFuture<'static, Result<TaskOutput, TaskError>> {
        match read_input(&input) {
            Ok(input) => {
                let work = (self.function)(ctx, input);
                Box::pin(async move { work.await?.into_task_output() })
            }
            Err(refused) => ready(Err(refused)),
        }
    }

    fn input_schema(&self) -> &Value {
        &self.schemas.input
    }

    fn output_schema(&self) -> &Value {
        &self.schemas.output
    }
}

impl<F, I, O, Fut> IntoTask<(TaskContext, I, O)> for F
where
    F: Fn(TaskContext, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, TaskError>> + Send + 'static,
    I: DeserializeOwned + JsonSchema + Send + 'static,
    O: IntoTaskOutput,
{
    fn into_task(self) -> Arc<dyn DynTask> {
        Arc::new(WithContext {
            function: self,
            schemas: Schemas::of::<I, O>(),
            types: PhantomData,
        })
    }
}

impl<F, I, O, Fut> IntoTask<(I, O)> for F
where
    F: Fn(I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, TaskError>> + Send + 'static,
    I: DeserializeOwned + JsonSchema + Send + 'static,
    O: IntoTaskOutput,
{
    fn into_task(self) -> Arc<dyn DynTask> {
        let function = move |_: TaskContext, input: I| self(input);
        Arc::new(WithContext {
            function,
            schemas: Schemas::of::<I, O>(),
            types: PhantomData,
        })
    }
}

/// A handler with state.
struct Stateful<H> {
    handler: Arc<H>,
    schemas: Schemas,
}

impl<H: TaskHandler> DynTask for Stateful<H> {
    fn call(
        &self,
        ctx: TaskContext,
        input: Arc<Value>,
    ) -> BoxFuture<'static, Result<TaskOutput, TaskError>> {
        let handler = Arc::clone(&self.handler);
        match read_input::<H::Input>(&input) {
            Ok(input) => {
                Box::pin(async move { handler.handle(ctx, input).await?.into_task_output() })
            }
            Err(refused) => ready(Err(refused)),
        }
    }

    fn input_schema(&self) -> &Value {
        &self.schemas.input
    }

    fn output_schema(&self) -> &Value {
        &self.schemas.output
    }
}

// The argument only tells this implementation from those for functions.
impl<H: TaskHandler> IntoTask<fn(H)> for H {
    fn into_task(self) -> Arc<dyn DynTask> {
        Arc::new(Stateful {
            handler: Arc::new(self),
            schemas: Schemas::of::<H::Input, H::Output>(),
        })
    }
}

impl IntoTask<()> for Arc<dyn DynTask> {
    fn into_task(self) -> Arc<dyn DynTask> {
        self
    }
}

/// A function that blocks its thread.
struct Blocking<F, I, O> {
    function: Arc<F>,
    schemas: Schemas,
    types: PhantomData<fn(I) -> O>,
}

impl<F, I, O> DynTask for Blocking<F, I, O>
where
    F: Fn(TaskContext, I) -> Result<O, TaskError> + Send + Sync + 'static,
    I: DeserializeOwned + Send + 'static,
    O: IntoTaskOutput,
{
    fn call(
        &self,
        ctx: TaskContext,
        input: Arc<Value>,
    ) -> BoxFuture<'static, Result<TaskOutput, TaskError>> {
        let function = Arc::clone(&self.function);
        Box::pin(async move {
            let work = move || function(ctx, read_input(&input)?)?.into_task_output();
            match tokio::task::spawn_blocking(work).await {
                Ok(result) => result,
                Err(failed) if failed.is_panic() => Err(TaskError::panicked(&*failed.into_panic())),
                Err(_) => Err(TaskError::retryable(
                    "ENVIRONMENT_SETUP_FAILED",
                    "the pool of blocking threads is shut down",
                )),
            }
        })
    }

    fn input_schema(&self) -> &Value {
        &self.schemas.input
    }

    fn output_schema(&self) -> &Value {
        &self.schemas.output
    }
}

impl<F, I, O> IntoBlockingTask<(TaskContext, I, O)> for F
where
    F: Fn(TaskContext, I) -> Result<O, TaskError> + Send + Sync + 'static,
    I: DeserializeOwned + JsonSchema + Send + 'static,
    O: IntoTaskOutput,
{
    fn into_blocking_task(self) -> Arc<dyn DynTask> {
        Arc::new(Blocking {
            function: Arc::new(self),
            schemas: Schemas::of::<I, O>(),
            types: PhantomData,
        })
    }
}

impl<F, I, O> IntoBlockingTask<(I, O)> for F
where
    F: Fn(I) -> Result<O, TaskError> + Send + Sync + 'static,
    I: DeserializeOwned + JsonSchema + Send + 'static,
    O: IntoTaskOutput,
{
    fn into_blocking_task(self) -> Arc<dyn DynTask> {
        let function = move |_: TaskContext, input: I| self(input);
        Arc::new(Blocking {
            function: Arc::new(function),
            schemas: Schemas::of::<I, O>(),
            types: PhantomData,
        })
    }
}
