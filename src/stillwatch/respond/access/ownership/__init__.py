"""The ownership rule: is an organization majority-owned, through whomever, from unsupported regions?"""
