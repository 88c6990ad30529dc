//! Pausing and resuming: what comes while an instance is held is recorded, and moves it when it goes on.

use augmented_core::runtime::{
    ControlRequest, InstanceStatus, Message, Pause, TimerKind, TrailEntry,
};

use super::super::size::signal_bytes;
use super::{Machine, Step};

impl Machine<'_> {
    pub(super) fn on_pause(&mut self, request: &ControlRequest) -> Step {
        if !matches!(
            self.state.status,
            InstanceStatus::Running | InstanceStatus::WaitingForEvent
        ) {
            self.stale(None);
            return Ok(());
        }
        self.trail.push(TrailEntry::Paused {
            reason: request.reason.clone(),
            actor: request.requested_by.clone(),
        });
        self.state.paused = Some(Box::new(Pause {
            from: self.state.status,
            since: self.now,
            reason: request.reason.clone(),
            requested_by: request.requested_by.clone(),
            held: Vec::new(),
        }));
        self.state.status = InstanceStatus::Paused;
        Ok(())
    }

    pub(super) fn on_resume(&mut self, request: &ControlRequest) -> Step {
        if self.state.status != InstanceStatus::Paused {
            self.stale(None);
            return Ok(());
        }
        self.trail.push(TrailEntry::Resumed {
            reason: request.reason.clone(),
            actor: request.requested_by.clone(),
        });
        self.state.status = InstanceStatus::Running;
        for message in self.take_held() {
            self.apply(&message)?;
            self.run()?;
        }
        Ok(())
    }

    /// What the instance held, which it is not any more.
    pub(super) fn take_held(&mut self) -> Vec<Message> {
        let held = match self.state.paused.take() {
            Some(pause) => pause.held,
            None => return Vec::new(),
        };
        for message in &held {
            if let Message::Signal(signal) = message {
                self.state.bytes = self.state.bytes.saturating_sub(signal_bytes(signal));
            }
        }
        held
    }

    /// Whether a message waits until the instance goes on. Not those that end it, nor the next attempt of a task that is
    /// under way.
    pub(super) fn is_held(&self, message: &Message) -> bool {
        if self.state.status != InstanceStatus::Paused {
            return false;
        }
        match message {
            Message::TaskDone(_) | Message::Signal(_) | Message::ChildDone(_) => true,
            Message::Timer(key) => !matches!(
                key.kind,
                TimerKind::Execution | TimerKind::TaskRetry | TimerKind::CancelGrace
            ),
            Message::Start(_) | Message::Cancel(_) | Message::Pause(_) | Message::Resume(_) => {
                false
            }
        }
    }

    /// Keeps a message for later; its fact says where it came.
    pub(super) fn hold(&mut self, message: &Message) {
        match message {
            Message::TaskDone(done) => {
                let place = self.token_of(done.activation);
                let Some(token) = place.and_then(|id| self.state.tokens.get(&id)) else {
                    self.stale_answer(done);
                    return;
                };
                if self.state.is_answered(done.activation) {
                    self.stale(place);
                    return;
                }
                self.trail.push(TrailEntry::Answered {
                    step: token.step,
                    path: token.path.clone(),
                    visit: token.visit,
                });
            }
            Message::Signal(signal) => {
                self.state.bytes = self.state.bytes.saturating_add(signal_bytes(signal));
                self.trail.push(TrailEntry::SignalReceived {
                    step: None,
                    path: None,
                    signal_type: signal.signal_type.clone(),
                    buffered: true,
                });
            }
            _ => {}
        }
        if let Some(pause) = &mut self.state.paused {
            pause.held.push(message.clone());
        }
    }
}
