// A version or a build number changes nothing that an update could depend on: two builds of one commit take the same updates.
module.exports = { sourceSkips: ["ExpoConfigVersions", "EasJson"] };
