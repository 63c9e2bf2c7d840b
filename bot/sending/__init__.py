"""Messages on their way out, and their traces at the provider."""
