"""Branch protection and rulesets."""
