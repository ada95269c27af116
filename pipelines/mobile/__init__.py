"""The apps of the stores: build numbers, what an app's own files may say, deliveries to Google Play and TestFlight.

Parts of the way from a tag to testers and users: no workflow carries them out yet.
"""
