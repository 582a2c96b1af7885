"""The one room that looks at the backend in use: what each computes in its own way."""
