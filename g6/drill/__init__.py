"""Every alert, provoked: real servers, a real agent, the fault that each alert is for, all on a fast clock."""
