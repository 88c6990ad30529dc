//! Building an engine.

use std::sync::Arc;

use augmented_core::expr::{CelEngine, ExpressionEngine};
use augmented_core::ids::IdGen;
use augmented_core::schema::{UpcastChain, Upcaster, ValidatorRegistry};
use augmented_core::store::{InstanceFilter, Page, Store};
use augmented_core::time::Clock;
use augmented_core::validate::Finding;
use augmented_core::{NodeId, TenantId, Timestamp};
use parking_lot::Mutex;

use super::{Engine, Inner, Tasks};
use crate::EngineError;
use crate::clock::{SystemClock, Time, VirtualClock, VirtualTime};
use crate::config::EngineConfig;
use crate::definitions::Definitions;
use crate::driver::{Shared, SharedParts, Worker, conduct, keep_house, keep_lease, seats};
use crate::ids::{Ids, mix};
use crate::schemas::SchemaService;
use crate::task::{
    DynTask, IntoBlockingTask, IntoTask, MockScript, MockTask, TaskEnv, TaskRegistry,
    standard_handlers,
};

/// Settings and handlers of an engine that is about to start.
#[must_use = "nothing runs before `start`"]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    tasks: Vec<(String, Arc<dyn DynTask>)>,
    mocks: Vec<(String, MockScript)>,
    config: EngineConfig,
    clock: Option<Arc<dyn Clock>>,
    virtual_time: Option<VirtualTime>,
    ids: Option<Arc<dyn IdGen>>,
    seed: u64,
    tenant: TenantId,
    expressions: Arc<dyn ExpressionEngine>,
    validators: ValidatorRegistry,
    upcasters: UpcastChain,
}

impl EngineBuilder {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            tasks: Vec::new(),
            mocks: Vec::new(),
            config: EngineConfig::default(),
            clock: None,
            virtual_time: None,
            ids: None,
            seed: 0,
            tenant: TenantId::DEFAULT,
            expressions: Arc::new(CelEngine::new()),
            validators: ValidatorRegistry::new(),
            upcasters: UpcastChain::new(),
        }
    }

    /// Registers a task handler under the name that task definitions give as `endpoint`.
    ///
    /// Without a task definition of that id the handler has one of its own: version 1.0.0, with the schemas of its types.
    ///
    /// ```
    /// use augmented_engine::{Engine, TaskContext, TaskError};
    /// use schemars::JsonSchema;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Order { amount: u32 }
    ///
    /// #[derive(Serialize, JsonSchema)]
    /// struct Reserved { left: u32 }
    ///
    /// async fn reserve(_ctx: TaskContext, order: Order) -> Result<Reserved, TaskError> {
    ///     let left = 100_u32.checked_sub(order.amount).ok_or_else(|| TaskError::business("OUT_OF_STOCK"))?;
    ///     Ok(Reserved { left })
    /// }
    ///
    /// # let store = std::sync::Arc::new(augmented_store_memory::MemoryStore::new());
    /// let builder = Engine::builder(store)
    ///     .with_task("reserve", reserve)
    ///     .with_task("ship", |_ctx: TaskContext, order: Order| async move { Ok(Reserved { left: order.amount }) });
    /// # let _ = builder;
    /// ```
    pub fn with_task<Args>(
        mut self,
        name: impl Into<String>,
        handler: impl IntoTask<Args>,
    ) -> Self {
        self.tasks.push((name.into(), handler.into_task()));
        self
    }

    /// Registers a handler that blocks its thread; it runs on the pool of blocking threads.
    pub fn with_blocking_task<Args>(
        mut self,
        name: impl Into<String>,
        handler: impl IntoBlockingTask<Args>,
    ) -> Self {
        self.tasks.push((name.into(), handler.into_blocking_task()));
        self
    }

    /// Lets canned results stand for the implementation of a task definition.
    pub fn with_mock(mut self, task_id: impl Into<String>, script: MockScript) -> Self {
        self.mocks.push((task_id.into(), script));
        self
    }

    /// Changes the settings.
    pub fn with_config(mut self, config: EngineConfig) -> Self {
        self.config = config;
        self
    }

    /// Takes the time from another clock. Default: the clock of the machine.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Runs on virtual time that begins at `epoch` and jumps to the next timer whenever nothing else can happen.
    ///
    /// Only for a store that no other engine serves at the same time, since clocks would mix; see
    /// [`with_shared_time`](Self::with_shared_time). A handler holds the clock except while it waits on its context.
    pub fn with_virtual_time(self, epoch: Timestamp) -> Self {
        self.with_shared_time(&VirtualTime::new(epoch))
    }

    /// Runs on a virtual time that other engines on the same store share.
    pub fn with_shared_time(mut self, time: &VirtualTime) -> Self {
        self.virtual_time = Some(time.clone());
        self
    }

    /// Sets the seed of the jitter and, on virtual time, of ids: equal seeds give equal runs. Default: 0.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Takes new row ids from elsewhere.
    pub fn with_ids(mut self, ids: Arc<dyn IdGen>) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Sets the tenant the engine acts for. Default: the one fixed tenant of hosts that ignore tenancy.
    pub fn with_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// Evaluates expressions with another engine, for example one with functions of the host.
    pub fn with_expressions(mut self, expressions: Arc<dyn ExpressionEngine>) -> Self {
        self.expressions = expressions;
        self
    }

    /// Lets schemas use validators of the host: formats, keywords, functions and asynchronous checks.
    ///
    /// They hold wherever this engine compiles a schema, in the registry, in definitions and for the data of running
    /// work. Asynchronous checks are carried out by the [schema registry](Engine::schemas) alone: running work does not
    /// wait for them.
    pub fn with_validators(mut self, validators: ValidatorRegistry) -> Self {
        self.validators = validators;
        self
    }

    /// Registers how documents of one major version of a schema become documents of a later one; see
    /// [`SchemaRegistry::upgrade`](crate::SchemaRegistry::upgrade).
    pub fn with_upcaster(
        mut self,
        schema: impl Into<String>,
        from_major: u64,
        to_major: u64,
        upcaster: impl Upcaster + 'static,
    ) -> Self {
        self.upcasters
            .register(schema, from_major, to_major, upcaster);
        self
    }

    /// Starts the engine on the current runtime.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a handler whose name is no task id or a mock that cannot be read; `INTERNAL`, reason
    /// `VALIDATOR_MISSING`, if a published schema of the tenant needs a validator that is not registered, unless
    /// [`strict_startup`](EngineConfig::strict_startup) is off; `UNAVAILABLE` and `INTERNAL` from the store.
    pub async fn start(self) -> Result<Engine, EngineError> {
        self.build(Role::Node).await
    }

    /// Connects to the nodes on the same store without being one: everything can be asked of the engine, and what it
    /// starts is carried out by them. It has real time, owns no instance and runs no handler.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub async fn connect(self) -> Result<Engine, EngineError> {
        self.build(Role::Client).await
    }

    async fn build(self, role: Role) -> Result<Engine, EngineError> {
        let registry = self.registry()?;
        let virtual_time = self.virtual_time.as_ref().filter(|_| role == Role::Node);
        let time = match (virtual_time, self.clock.clone()) {
            (Some(time), _) => Time::Virtual(VirtualClock::of(time)),
            (None, Some(clock)) => Time::Real(clock),
            (None, None) => Time::Real(Arc::new(SystemClock::new())),
        };
        let ids = self.id_source(&time).await?;
        let schemas = SchemaService::new(self.validators, self.upcasters, &self.config, &time);
        if self.config.strict_startup {
            schemas.check_stored(&*self.store, self.tenant).await?;
        }
        let now = time.now();
        let node = NodeId(ids.new_id(now));
        if role == Role::Node {
            self.store.register_node(node, now).await?;
        }
        let env = Arc::new(TaskEnv::new(
            &self.config,
            time.clone(),
            Arc::clone(&self.store),
            self.seed,
        ));
        let definitions = Definitions::new(
            Arc::clone(&self.store),
            Arc::new(registry),
            self.expressions,
            Arc::clone(&schemas.validators),
            Arc::clone(&env),
            &self.config,
        );
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = match (role, &time) {
            (Role::Client, _) => 0,
            (Role::Node, Time::Virtual(_)) => 1,
            (Role::Node, Time::Real(_)) => self.config.workers.unwrap_or_else(cores).max(1),
        };
        let (handles, seats) = seats(workers);
        let parts = SharedParts {
            store: self.store,
            env,
            definitions,
            schemas,
            config: self.config,
            ids,
            node,
        };
        let shared = Arc::new(Shared::new(parts, handles));
        let mut tasks = Tasks::default();
        let mut aborts = Vec::new();
        for seat in seats {
            aborts.push(
                tasks
                    .workers
                    .spawn(Worker::new(Arc::clone(&shared), seat).run()),
            );
        }
        match time {
            Time::Real(_) if role == Role::Client => {}
            Time::Real(_) => {
                aborts.push(tasks.house.spawn(keep_house(Arc::clone(&shared))));
                aborts.push(tasks.keepers.spawn(keep_lease(Arc::clone(&shared))));
            }
            Time::Virtual(clock) => {
                aborts.push(tasks.keepers.spawn(conduct(Arc::clone(&shared), clock)))
            }
        }
        Ok(Engine {
            inner: Arc::new(Inner {
                shared,
                tasks: Mutex::new(tasks),
                aborts,
            }),
            tenant: self.tenant,
        })
    }

    fn registry(&self) -> Result<TaskRegistry, EngineError> {
        let mut registry = TaskRegistry::default();
        let mut findings = Vec::new();
        let standard = standard_handlers()
            .into_iter()
            .map(|(name, handler)| (name.to_owned(), handler));
        for (name, handler) in standard.chain(self.tasks.iter().cloned()) {
            if let Err(wrong) = registry.add(&name, handler) {
                findings.extend(wrong);
            }
        }
        for (task_id, script) in &self.mocks {
            match MockTask::compile(script, &*self.expressions) {
                Ok(mock) => registry.mock(task_id, mock),
                Err(error) => findings.push(
                    Finding::error(
                        "MOCK_INVALID",
                        error.pointer.clone(),
                        format!("the mock of `{task_id}`: {}", error.message),
                    )
                    .with_argument("task", task_id.as_str()),
                ),
            }
        }
        if findings.is_empty() {
            Ok(registry)
        } else {
            Err(EngineError::invalid(
                "HOST_INVALID",
                "the engine cannot start with these handlers and mocks",
                findings,
            ))
        }
    }

    /// Where ids come from. On virtual time they follow from the seed, and from what an earlier engine left in the store,
    /// so that a second engine on it does not repeat them.
    async fn id_source(&self, time: &Time) -> Result<Arc<dyn IdGen>, EngineError> {
        if let Some(ids) = &self.ids {
            return Ok(Arc::clone(ids));
        }
        if let Time::Real(_) = time {
            return Ok(Arc::new(Ids::random()));
        }
        let newest = self
            .store
            .list_instances(self.tenant, &InstanceFilter::default(), Page::new(None, 1))
            .await?;
        let salt = newest
            .instances
            .first()
            .map_or(0, |last| last.header.instance_id.0.as_u64_pair().1);
        let nodes = self.store.nodes().await?.len() as u64;
        Ok(Arc::new(Ids::seeded(mix(self.seed) ^ salt ^ mix(nodes))))
    }
}

/// What an engine is to the others on the same store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It drives instances.
    Node,
    /// It leaves them to nodes.
    Client,
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("config", &self.config)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
