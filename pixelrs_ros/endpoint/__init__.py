"""Asks language models at OpenAI-compatible endpoints: vLLM, Ollama, llama.cpp, or a company's."""
