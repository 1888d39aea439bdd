"""The plan of a case before anything is spent: what it would take, gathered as data, and the page that says it."""
