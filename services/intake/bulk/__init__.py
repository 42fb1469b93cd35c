"""Fetches FHIR resources from CMS's bulk APIs (BCDA, AB2D, DPC) into the folder from which deliveries are taken.

Source: HL7 FHIR Bulk Data Access (Flat FHIR) 2.0; the public documentation of BCDA, AB2D and DPC.
"""
