"""What people may ask of us and what is forgotten: requests, exports, erasing, holds, retention."""
