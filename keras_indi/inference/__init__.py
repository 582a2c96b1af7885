"""What turns a trained network into restored images of any size."""
