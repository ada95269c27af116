"""App Store Connect: uploads of builds, TestFlight, App Store versions with their review and phased release."""
