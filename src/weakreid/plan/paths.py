"""Where every artifact lies. Patterns, with Snakemake's wildcards in them."""
