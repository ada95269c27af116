"""What happens to state and git when somebody does something, and which events that makes."""
