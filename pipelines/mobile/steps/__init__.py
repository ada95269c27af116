"""The steps of the apps' pipelines, a file each."""
