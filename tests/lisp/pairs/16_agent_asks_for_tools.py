from project_o.agent import Agent, has_tool, llm_respond, tool, use


@tool
def look_up(word: str):
    """Look a word up."""
    return word.upper()


helper = Agent("helper", "You help.", tools=["look-up"])


@helper.body
def answer(message):
    return use("look-up", word=message) if has_tool("look-up") else llm_respond(message)
