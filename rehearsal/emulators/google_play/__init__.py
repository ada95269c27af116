"""Google Play: the Developer API's edits, bundles, tracks and releases, and Android vitals of the Reporting API."""
