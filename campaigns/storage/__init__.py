"""The store on disks that fail, lie and lose: what was promised is there, or it is said that it is not."""
