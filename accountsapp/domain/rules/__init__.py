"""What a value may be: checks and normal forms without any SQL."""
