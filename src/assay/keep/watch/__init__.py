"""Is it still the model that was agreed to: realised loss, inputs, outputs, proving, money; and alarms about them."""
