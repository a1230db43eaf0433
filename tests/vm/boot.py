def prove() -> None:
    pass
