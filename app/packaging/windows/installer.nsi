; Owns the Windows installer where electron-builder's own tools cannot be had: per machine, silent with /S, folder with /D=, exit codes.
; makensis -DSRC=folder -DOUT=setup.exe -DVERSION=1.2.3 installer.nsi. Exit codes: 0 done, 1 stopped by the user, 2 failed, 3 needs administrator rights.
Unicode true
Target amd64-unicode
SetCompressor /SOLID zlib
Name "Rushlight"
OutFile "${OUT}"
InstallDir "$PROGRAMFILES64\Rushlight"
RequestExecutionLevel admin
ShowInstDetails nevershow
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "Rushlight"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Rushlight installer"
VIAddVersionKey LegalCopyright "Apache-2.0"
!include LogicLib.nsh
!include FileFunc.nsh
!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Rushlight"
Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Function .onInit
  SetRegView 64
  UserInfo::GetAccountType
  Pop $0
  ${If} $0 != "Admin"
    SetErrorLevel 3
    Quit
  ${EndIf}
  ; the folder of an earlier version, unless /D= names another
  ReadRegStr $0 HKLM "${KEY}" "InstallLocation"
  ${If} $0 != ""
  ${AndIf} $INSTDIR == "$PROGRAMFILES64\Rushlight"
    StrCpy $INSTDIR $0
  ${EndIf}
FunctionEnd

Section
  SetShellVarContext all
  SetOverwrite on
  ; files of an earlier version that this one no longer has must not be loaded; only what the program itself has laid there
  RMDir /r "$INSTDIR\resources"
  RMDir /r "$INSTDIR\locales"
  SetOutPath "$INSTDIR"
  ClearErrors
  File /r "${SRC}/*"
  ${If} ${Errors}
    SetErrorLevel 2
    Abort "Files could not be written. Close Rushlight and start the installer again."
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Rushlight.lnk" "$INSTDIR\Rushlight.exe"
  WriteRegStr HKLM "${KEY}" "DisplayName" "Rushlight"
  WriteRegStr HKLM "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKLM "${KEY}" "Publisher" "Rushlight"
  WriteRegStr HKLM "${KEY}" "DisplayIcon" "$INSTDIR\Rushlight.exe"
  WriteRegStr HKLM "${KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKLM "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${KEY}" "NoModify" 1
  WriteRegDWORD HKLM "${KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKLM "${KEY}" "EstimatedSize" "$0"
SectionEnd

Section Uninstall
  SetRegView 64
  SetShellVarContext all
  Delete "$SMPROGRAMS\Rushlight.lnk"
  ; INSTDIR is where this uninstaller lies; without the program beside it the folder is none of ours
  ${IfNot} ${FileExists} "$INSTDIR\Rushlight.exe"
    SetErrorLevel 2
    Abort "Rushlight is not in this folder."
  ${EndIf}
  RMDir /r "$INSTDIR"
  DeleteRegKey HKLM "${KEY}"
  ; of the user who removes it, and only when asked: conversations of other users are theirs
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/DELETEDATA" $1
  ${IfNot} ${Errors}
    SetShellVarContext current
    RMDir /r "$LOCALAPPDATA\Rushlight"
  ${EndIf}
SectionEnd
