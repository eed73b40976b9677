"""Setup, prove, verify on the native core, and the reference strings they need (circuit + rows -> proof)."""
