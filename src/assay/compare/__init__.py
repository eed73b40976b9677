"""Does the model pay: experiments whose result cannot be argued away."""
