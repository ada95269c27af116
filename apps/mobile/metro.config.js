// Metro as Expo sets it up; Sentry's serializer gives each bundle the id by which its source map is found.
const { getSentryExpoConfig } = require("@sentry/react-native/metro");

module.exports = getSentryExpoConfig(__dirname);
