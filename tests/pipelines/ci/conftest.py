from tests.conversation import conversation

__all__ = ["conversation"]
