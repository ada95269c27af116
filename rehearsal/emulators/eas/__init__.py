"""Expo Application Services: builds of both platforms with their queue, and updates over the air with their roll-outs."""
