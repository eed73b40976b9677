"""From a proven answer to a transaction that is final: one outbox for everything that is sent."""
