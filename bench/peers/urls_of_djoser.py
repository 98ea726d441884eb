"""What the Django peer shows: djoser's pages about users, with the name among the fields."""

from django.contrib.auth.models import User
from django.urls import include, path
from rest_framework import serializers


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "date_joined", "last_login", "is_active")
        read_only_fields = ("id", "username", "email", "date_joined", "last_login", "is_active")


urlpatterns = [path("auth/", include("djoser.urls"))]
