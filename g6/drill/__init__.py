"""Every alert, provoked: the real servers, the real agent, the fault that each alert is for, and the clock of it all."""
