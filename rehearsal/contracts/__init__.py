"""The providers' own descriptions of their interfaces, and the checking of requests and answers against them.

`load("github").operation("POST", "/repos/o/r/deployments").check_request({}, body)` lists what is wrong with a body.
"""
