"""The Singer protocol: messages in, STATE out."""
