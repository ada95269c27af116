"""What every Google REST API has in common on the wire: error bodies, access checks, paging, times."""
