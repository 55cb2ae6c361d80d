"""Who may call: API keys, tokens of a gateway, or a gateway that is believed; and what each caller may do."""
