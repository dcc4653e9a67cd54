"""Language models, behind one seam of five calls: chat, stream, tools, embed, usage."""

from __future__ import annotations

from .seam import Message, Model, Reply, Role, RunTool, ToolCall, ToolSpec

__all__ = ["Message", "Model", "Reply", "Role", "RunTool", "ToolCall", "ToolSpec"]
