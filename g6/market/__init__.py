"""What an exchange decides: sessions, holidays, expiries, listed contracts and strikes, by dated tables."""
