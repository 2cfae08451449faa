"""What a program in an argument does: SQL, Cypher, shell, Python; and programs that the user wrote out himself."""
