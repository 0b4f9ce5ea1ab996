"""One request to small values: template, content, elicitation, client, sampling. Raw text goes no further."""
