"""Documents: each derivation as a module, rendered to LaTeX, HTML and PDF."""
